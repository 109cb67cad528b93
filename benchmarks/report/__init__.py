"""Makes the documentation's tables from results files, and says where these come from."""
