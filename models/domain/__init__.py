"""The words of product safety as types: taxonomy, risk matrix, listing, alert, assessment, action."""
