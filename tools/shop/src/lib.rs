//! Shop platforms: webhook bodies to one typed event.
