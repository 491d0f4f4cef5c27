"""The clearing service: validates, books, busts, nets and settles trades."""
