"""The review console: pages for people who decide. Rendered on the server; htmx swaps the parts that change."""
