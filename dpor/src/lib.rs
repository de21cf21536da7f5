//! Optimal dynamic partial-order reduction for shuttle.
