//! `hash --out`, cut off anywhere: the same command goes on, and the result is that of a run that was not.

use std::process::Command;

use crate::pictures::{Desk, export};
use crate::process::{Ran, wait};

/// Enough that the work goes on for a while after the first is noted.
const PICTURES: u32 = 400;

/// Both files of `out`.
fn both(desk: &Desk, out: &str) -> (Vec<u8>, Vec<u8>) {
    (desk.read(out), desk.read(&format!("{out}.files")))
}

#[test]
fn cut_at_any_length_both_files_become_what_they_were() {
    let desk = Desk::new();
    for n in 0..6 {
        desk.draw(&format!("in/{n}.png"), n, 16);
    }
    desk.write("in/3a.txt", "text");
    desk.write("in/9.txt", "text");
    assert_eq!(desk.ran(&export("in", "items")).code, 0);
    let (items, journal) = both(&desk, "items");
    let ends = |bytes: &[u8]| -> Vec<usize> {
        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect()
    };
    // Around every end of a line, and somewhere inside.
    let around = |bytes: &[u8], from: usize| -> Vec<usize> {
        let ends = ends(bytes);
        let cuts = ends
            .iter()
            .flat_map(|end| [end - 30, end - 1, *end, end + 1])
            .filter(|cut| (from..=bytes.len()).contains(cut));
        cuts.chain([from]).collect()
    };
    let header = ends(&journal)[0];
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    // The journal is behind, as after `kill -9`.
    cuts.extend(around(&journal, header).into_iter().map(|cut| (items.len(), cut)));
    // The items are behind, as after a power failure.
    cuts.extend(around(&items, 0).into_iter().map(|cut| (cut, journal.len())));
    // Killed before there was anything.
    cuts.extend([(0, 0), (0, 20), (0, header - 1), (0, header)]);
    assert!(cuts.len() > 50);
    for (of_items, of_journal) in cuts {
        desk.write("items", &items[..of_items]);
        desk.write("items.files", &journal[..of_journal]);
        let ran = desk.ran(&export("in", "items"));
        assert_eq!(ran.code, 0, "{of_items}, {of_journal}: {ran:?}");
        assert!(both(&desk, "items") == (items.clone(), journal.clone()), "{of_items}, {of_journal}");
    }
    // The journal's block was never written, and is zeros.
    let zeros = [&journal[..header + 10], &vec![0; 3000][..]].concat();
    desk.write("items.files", zeros);
    assert_eq!(desk.ran(&export("in", "items")).code, 0);
    assert!(both(&desk, "items") == (items, journal));
}

#[test]
fn killed_or_told_to_stop_in_the_middle_it_goes_on_and_meanwhile_nobody_else_may() {
    let desk = Desk::new();
    for n in 0..PICTURES {
        desk.draw(&format!("in/{n:04}.png"), n, 200);
    }
    assert_eq!(desk.ran(&export("in", "whole")).code, 0);
    let (items, whole) = both(&desk, "whole");
    let complete = |out: &str| {
        let ran = desk.ran(&export("in", out));
        assert!(ran.code == 0 && ran.stderr.contains("going on after "), "{ran:?}");
        assert!(both(&desk, out) == (items.clone(), whole.clone()), "{out}");
    };

    let mut killed = desk.begin("in", "killed");
    let ran = desk.ran(&export("in", "killed"));
    assert!(ran.code == 2 && ran.stderr.contains("another run is writing killed"), "{ran:?}");
    killed.kill().unwrap();
    wait(&mut killed);
    assert!(both(&desk, "killed").1.len() < whole.len(), "it was done before it was killed");
    complete("killed");

    for signal in ["-INT", "-TERM"] {
        let out = &signal[1..];
        let stopped = desk.begin("in", out);
        assert!(Command::new("kill").args([signal, &stopped.id().to_string()]).status().unwrap().success());
        let ran: Ran = stopped.wait_with_output().unwrap().into();
        assert!(ran.code == 2 && ran.stderr.contains("give the same command again"), "{ran:?}");
        assert!(both(&desk, out).1.len() < whole.len(), "it was done before it was stopped");
        complete(out);
    }
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_line_stops_it_and_with_room_again_it_goes_on() {
    let desk = Desk::new();
    for n in 0..40 {
        desk.draw(&format!("in/{n:02}.png"), n, 16);
    }
    assert_eq!(desk.ran(&export("in", "whole")).code, 0);
    // A file can have 4 KiB and no more; whoever writes on is told so, not ended.
    let limit = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let program = desk.command(&[]).get_program().to_owned();
    let mut shell = Command::new("sh");
    shell.args(["-c", limit]).arg(program).args(export("in", "items")).current_dir(desk.path(""));
    let ran: Ran = shell.output().unwrap().into();
    assert!(ran.code == 2 && ran.stderr.contains("give the same command again"), "{ran:?}");
    assert!(ran.stderr.contains("cannot write items: File too large"), "{ran:?}");
    assert_eq!(desk.read("items").len(), 4096);
    assert_eq!(desk.ran(&export("in", "items")).code, 0);
    assert!(both(&desk, "items") == both(&desk, "whole"));
}
