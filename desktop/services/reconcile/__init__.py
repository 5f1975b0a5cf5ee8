"""The supplier's invoice held against what was posted: what is missing, different, too much, or credited."""
