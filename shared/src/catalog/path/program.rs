//! Pieces into a small program, and its run over a key.
//!
//! The run tries the ways of a pattern in order and goes back when one fails, but never comes to the
//! same instruction at the same place of the key twice: that bounds its time by the product of their
//! numbers, where plain backtracking is exponential.

use std::ops::Range;

use super::parse::Piece;

#[derive(Clone, Debug)]
enum Op {
    Exact(char),
    AnyCase(char),
    NotSlash,
    /// Goes on at both, the first one first.
    Split(usize, usize),
    Jump(usize),
    Open(usize),
    Close(usize),
    /// Succeeds at the end of the key.
    End,
}

#[derive(Clone, Debug)]
pub(super) struct Program(Vec<Op>);

impl Program {
    pub(super) fn compile(pieces: &[Piece]) -> Self {
        let mut program = Self(Vec::new());
        program.add(pieces);
        program.0.push(Op::End);
        program
    }

    fn add(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            match piece {
                Piece::Exact(c) => self.0.push(Op::Exact(*c)),
                Piece::AnyCase(c) => self.0.push(Op::AnyCase(*c)),
                Piece::One => self.0.push(Op::NotSlash),
                Piece::Star { whole_segment } => {
                    if *whole_segment {
                        self.0.push(Op::NotSlash);
                    }
                    self.any_times(|program| program.0.push(Op::NotSlash));
                }
                Piece::Folders => self.folders(),
                Piece::Below => {
                    self.folders();
                    self.add(&[Piece::Star { whole_segment: true }]);
                }
                Piece::Capture(number) => {
                    self.0.push(Op::Open(*number));
                    self.add(&[Piece::Star { whole_segment: true }]);
                    self.0.push(Op::Close(*number));
                }
                Piece::Either(texts) => self.either(texts),
            }
        }
    }

    fn folders(&mut self) {
        self.any_times(|program| {
            program.any_times(|program| program.0.push(Op::NotSlash));
            program.0.push(Op::Exact('/'));
        });
    }

    fn any_times(&mut self, body: impl FnOnce(&mut Self)) {
        let split = self.0.len();
        self.0.push(Op::Split(split + 1, 0));
        body(self);
        self.0.push(Op::Jump(split));
        self.0[split] = Op::Split(split + 1, self.0.len());
    }

    fn either(&mut self, texts: &[Vec<Piece>]) {
        let mut jumps = Vec::new();
        for (i, text) in texts.iter().enumerate() {
            let split = self.0.len();
            let last = i + 1 == texts.len();
            if !last {
                self.0.push(Op::Split(split + 1, 0));
            }
            self.add(text);
            if !last {
                jumps.push(self.0.len());
                self.0.push(Op::Jump(0));
                self.0[split] = Op::Split(split + 1, self.0.len());
            }
        }
        let end = self.0.len();
        for jump in jumps {
            self.0[jump] = Op::Jump(end);
        }
    }

    /// What each capture took, if the whole key matches.
    ///
    /// Captures need no restoring on the way back: none of them stands in a loop or in alternatives,
    /// so that every way to the end sets each of them anew behind the point that it went back to.
    pub(super) fn run(&self, key: &str, captures: usize) -> Option<Vec<Range<usize>>> {
        let mut spans = vec![0..0; captures];
        let width = key.len() + 1;
        let mut seen = vec![0u64; (self.0.len() * width).div_ceil(64)];
        let mut ways = vec![(0, 0)];
        while let Some((mut pc, mut at)) = ways.pop() {
            loop {
                let mark = pc * width + at;
                if seen[mark / 64] & (1 << (mark % 64)) != 0 {
                    break;
                }
                seen[mark / 64] |= 1 << (mark % 64);
                let next = key[at..].chars().next();
                let taken = match self.0[pc] {
                    Op::Exact(c) => next.filter(|next| *next == c),
                    Op::AnyCase(c) => next.filter(|next| next.eq_ignore_ascii_case(&c)),
                    Op::NotSlash => next.filter(|next| *next != '/'),
                    Op::Split(first, second) => {
                        ways.push((second, at));
                        pc = first;
                        continue;
                    }
                    Op::Jump(target) => {
                        pc = target;
                        continue;
                    }
                    Op::Open(number) => {
                        spans[number].start = at;
                        pc += 1;
                        continue;
                    }
                    Op::Close(number) => {
                        spans[number].end = at;
                        pc += 1;
                        continue;
                    }
                    Op::End if next.is_none() => return Some(spans),
                    Op::End => None,
                };
                let Some(c) = taken else { break };
                pc += 1;
                at += c.len_utf8();
            }
        }
        None
    }
}
