"""What is owed to the seller and the public: texts in the seller's language, and the statement of reasons."""
