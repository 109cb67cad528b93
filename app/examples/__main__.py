"""`python -m app.examples` makes the results of the examples anew."""

from app.examples.examples import main

main()
