"""What an experienced safety reviewer carries in the head: product kinds, their scenarios, and the cues in a text."""
