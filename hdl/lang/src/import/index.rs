// SPDX-License-Identifier: MIT OR Apache-2.0
//! Index expressions: rust-hdl's tree holds `self.pe[i * n + j].x` as text, to be evaluated per iteration.

/// Loop variables and their values, innermost last.
pub type Loops = Vec<(String, i128)>;

pub fn loop_value(loops: &Loops, name: &str) -> Option<i128> {
    loops.iter().rev().find(|(n, _)| n == name).map(|(_, v)| *v)
}

/// The path of a signal, with `$` between its parts and every index replaced by its value.
pub fn path(text: &str, loops: &Loops) -> Result<String, String> {
    let text = text.trim_start_matches('.').replace("::", "$").replace('.', "$");
    let mut rest = text.strip_suffix("$next").unwrap_or(&text);
    let mut out = String::new();
    while let Some(open) = rest.find('[') {
        let close = matching(rest, open).ok_or("unbalanced brackets")?;
        let value = evaluate(&rest[open + 1..close], loops)?;
        out += &format!("{}${value}", &rest[..open]);
        rest = &rest[close + 1..];
    }
    Ok(out + rest)
}

fn matching(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0;
    for (i, c) in text.char_indices().skip(open) {
        match c {
            '[' => depth += 1,
            ']' if depth == 1 => return Some(i),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Sums, products and brackets over loop variables and numbers.
fn evaluate(text: &str, loops: &Loops) -> Result<i128, String> {
    let mut parser = Parser { rest: text.trim(), loops };
    let value = parser.sum()?;
    match parser.rest {
        "" if value >= 0 => Ok(value),
        "" => Err(format!("the index `{text}` is {value}")),
        _ => Err(format!("the index `{text}` is not made of numbers and loop variables")),
    }
}

struct Parser<'a> {
    rest: &'a str,
    loops: &'a Loops,
}

impl<'a> Parser<'a> {
    fn take(&mut self, operators: &[char]) -> Option<char> {
        let c = self.rest.chars().next().filter(|c| operators.contains(c))?;
        self.rest = self.rest[1..].trim_start();
        Some(c)
    }

    fn sum(&mut self) -> Result<i128, String> {
        let mut value = self.product()?;
        while let Some(op) = self.take(&['+', '-']) {
            let right = self.product()?;
            value = if op == '+' { value + right } else { value - right };
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<i128, String> {
        let mut value = self.factor()?;
        while let Some(op) = self.take(&['*', '/', '%']) {
            let right = self.factor()?;
            let result = match op {
                '*' => value.checked_mul(right),
                '/' => value.checked_div(right),
                _ => value.checked_rem(right),
            };
            value = result.ok_or(format!("`{value} {op} {right}` has no value"))?;
        }
        Ok(value)
    }

    fn factor(&mut self) -> Result<i128, String> {
        if self.take(&['(']).is_some() {
            let value = self.sum()?;
            return self.take(&[')']).map(|_| value).ok_or("unbalanced brackets".into());
        }
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        let digits: String = word.chars().filter(|c| *c != '_').take_while(char::is_ascii_digit).collect();
        match digits.parse() {
            Ok(n) => Ok(n),
            Err(_) => loop_value(self.loops, word).ok_or(format!("the index `{word}` is neither a number nor a loop variable")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_evaluated_per_iteration() {
        let loops = vec![("i".to_string(), 2), ("cc".to_string(), 4)];
        assert_eq!(path("pe[i*cc+(i-1)]$a_in$next", &loops), Ok("pe$9$a_in".into()));
        assert_eq!(path("a[i][3_usize]", &loops), Ok("a$2$3".into()));
        assert!(path("a[N-1]", &loops).unwrap_err().contains("`N`"));
        assert!(path("a[sel$val()$index()]", &loops).is_err());
        assert!(path("a[1-i]", &loops).unwrap_err().contains("-1"));
    }
}
