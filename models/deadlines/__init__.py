"""When a legal period ends: working days, public holidays, time zones."""
