"""What the exchange measures about itself: `make bench` runs it all. A timed assertion is no test and stands here."""
