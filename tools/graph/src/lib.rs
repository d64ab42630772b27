//! The product-knowledge graph: relations, recommendations, substitutes.
