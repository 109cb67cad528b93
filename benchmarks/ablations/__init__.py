"""The paper's claims that need training, tested at an equal budget: Figure 1, Table 5 and Table 7."""
