"""Rules and pure functions, without a database; the folders mirror those of the product."""
