//! How soon walks are caught, and how often honest questions are taken for one: `cargo bench --bench walks`.
//!
//! Attackers and members ask a model of the hub that answers honestly in bands. Pictures are drawn, changed and encoded anew,
//! and hashed by the program's own PDQ. Everything is drawn from a seed, so the figures are the same each time; another one:
//! `cargo bench --bench walks -- 2`.
#![allow(clippy::unwrap_used, reason = "a program for measuring may stop at what it did not expect")]

mod attacks;
mod game;
mod honest;
mod pictures;

use game::Game;

const GAMES: u64 = 200;

fn main() {
    let seed = std::env::args().find_map(|argument| argument.parse::<u64>().ok()).unwrap_or(1);
    println!("seed {seed}, {GAMES} games of each attack\n");
    println!(
        "At which question an attack is flagged, slowed and blocked, and how many bits were learned by then at most:\n"
    );
    println!("| attack | flagged: median / p99 / worst | slowed | blocked | bits: median / worst |");
    println!("|---|---|---|---|---|");
    for (name, attack) in attacks::ATTACKS {
        let games: Vec<Game> = (0..GAMES)
            .map(|number| {
                let mut game = Game::new(seed << 32 | number);
                let _ = attack(&mut game);
                game
            })
            .collect();
        let row: Vec<String> = (0..3).map(|level| ranks(games.iter().map(|game| game.at[level]).collect())).collect();
        let mut learned: Vec<u32> =
            games.iter().map(|game| if game.at[2].is_some() { game.learned_at[2] } else { game.learned }).collect();
        learned.sort_unstable();
        println!("| {name} | {} | {} / {} |", row.join(" | "), learned[learned.len() / 2], learned[learned.len() - 1]);
    }
    println!();
    honest::run(seed);
}

/// Median, 99th percentile and worst; "never" is the worst of all.
fn ranks(mut all: Vec<Option<u32>>) -> String {
    all.sort_unstable_by_key(|at| at.unwrap_or(u32::MAX));
    let at = |rank: usize| all[rank.min(all.len() - 1)].map_or("never".to_owned(), |at| at.to_string());
    format!("{} / {} / {}", at(all.len() / 2), at(all.len() * 99 / 100), at(all.len() - 1))
}
