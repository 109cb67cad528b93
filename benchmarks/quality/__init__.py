"""How good the shipped weights are: scores, tables of the paper, uncertainty, embeddings, pictures."""
