"""What tells who somebody is: kept as long as settings say, and erased where somebody asks for it."""
