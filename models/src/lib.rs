//! What is explored: scenarios, the sequential specification, kv_engine's protocols, cargo explore.
