"""The recall desk: from an alert to the listings that it concerns, their removal in time, and the answer."""
