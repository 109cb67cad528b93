"""Running the model for visitors: whose turn it is, what is kept of results, what went wrong."""
