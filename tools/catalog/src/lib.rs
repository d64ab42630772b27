//! The catalogue: import, full-text search, live price and stock.
