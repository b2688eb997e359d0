"""What every model card and data card says, whatever the run: use, limits, ethics."""

from __future__ import annotations

HOW_IT_WORKS = (
    "It reads what a seller writes when a listing is uploaded: title, description, category, brand, attributes and "
    "captions. A sentence encoder, words and the knowledge base give the probability of each hazard of an unsafe "
    "product; severity and probability of harm of each scenario go through the risk matrix of the EU guidelines and "
    "give the level."
)
INTENDED_USE = (
    "Ordering a marketplace's listings for review before they go live, and those already online when an alert comes "
    "in.",
    "Proposing hazards, a risk level and a scenario with reasons to a person who decides.",
    "Measuring which parts of a catalogue need attention.",
)
NOT_FOR = (
    "Deciding alone that a product is safe: a level of none says that the text shows no known scenario, and nothing "
    "about the article in the box.",
    "Replacing the risk assessment that the law asks of manufacturers, importers and authorities (Regulation (EU) "
    "2023/988, Articles 6 to 9).",
    "Judging sellers or people: it reads products, and its scores say nothing about who sells them.",
    "Products outside consumer goods, such as medicines, food, vehicles or weapons: it has learnt nothing about them.",
    "Reading pictures: only the words about them (captions) reach it.",
)
LIMITS = (
    "It sees text only. A seller who hides what makes a product dangerous hides it from the model too.",
    "Alerts show what authorities looked for: hazards that were rarely checked are rarely known, and the shares of "
    "hazards among alerts are not those among all products.",
    "Levels rest on severities, injury rates and base rates of the knowledge base, which are judgements.",
    "Figures on later data of the same registers say how it does there; other years, registers and marketplaces "
    "differ.",
)
ETHICS = (
    "A missed dangerous product can hurt someone; a wrongly held listing costs a seller money. The costs of both "
    "stand in the report, and the plan that uses the scores weighs them.",
    "Errors are not spread evenly over languages and categories; the report's slices show where it is weak. Small "
    "sellers and languages with fewer examples deserve a look there first.",
    "Every decision can be explained (exact shares of words) and must be open to appeal: Regulation (EU) 2022/2065, "
    "Articles 17 and 20.",
    "Whoever reviews should see some listings that the model thinks harmless: what nobody looks at is never corrected.",
)
DATA_TRAPS = (
    "Alerts are written by inspectors, listings by sellers: a model can tell them apart by style and learn nothing "
    "about danger. No column that names the source or states the defect is ever an input.",
    "An alert lists the hazards that were found, not all that exist: a missing label is weak evidence of absence.",
    "All alerts are of unsafe products. What share of listings is unsafe cannot be learnt from them and comes from the "
    "knowledge base.",
    "One product appears many times, as translations, re-notifications and copies: such groups never stand on two "
    "sides of the split.",
)
PRIVACY = (
    "Example tables hold product texts. Names of sellers or consumers are not read as columns; what a description "
    "says about people stays in the table and in the worst errors of the report, so share those with care."
)
