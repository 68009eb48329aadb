// SPDX-License-Identifier: MIT OR Apache-2.0
//! Topological order, without recursion, as chains of nets may be long.

/// The numbers below `n`, each after those it depends on, or the members of a cycle: each depends on the one
/// before it, and the first on the last.
pub(crate) fn sort(n: usize, depends_on: impl Fn(usize) -> Vec<usize>) -> Result<Vec<usize>, Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; n];
    let mut order = Vec::with_capacity(n);
    for root in 0..n {
        if marks[root] != Mark::New {
            continue;
        }
        marks[root] = Mark::Open;
        let mut stack = vec![(root, depends_on(root))];
        while let Some((node, waiting)) = stack.last_mut() {
            let Some(next) = waiting.pop() else {
                marks[*node] = Mark::Done;
                order.push(*node);
                stack.pop();
                continue;
            };
            match marks[next] {
                Mark::Done => {}
                Mark::New => {
                    marks[next] = Mark::Open;
                    stack.push((next, depends_on(next)));
                }
                Mark::Open => {
                    let start = stack.iter().position(|(n, _)| *n == next).unwrap_or(0);
                    return Err(stack[start..].iter().rev().map(|(n, _)| *n).collect());
                }
            }
        }
    }
    Ok(order)
}
