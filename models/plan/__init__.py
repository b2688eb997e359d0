"""The risk-management plan: a file that decides, is checked before it is live, and can be argued with."""
