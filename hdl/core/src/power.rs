// SPDX-License-Identifier: MIT OR Apache-2.0
//! Power gating: who is on, in which order, and for how long (docs/power.md).

pub mod domain;
