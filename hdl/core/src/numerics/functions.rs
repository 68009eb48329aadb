// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nonlinear functions (table and polynomial).
