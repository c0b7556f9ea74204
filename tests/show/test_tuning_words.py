"""What a study noted is said in words, in order, and nothing of it is lost."""

from workbench.show.tuning_words import NOTES, note_table


def test_notes_are_words_in_the_order_of_questions():
    notes = {
        "widened_ranges": [],
        "best_is_default": False,
        "killed_trials": 0,
        "failed_trials": ["2 trials: MemoryError: 16 GB wanted", "1 trial: odd"],
        "seconds": 12.5,
        "users_that_report": 9,
    }
    copy = dict(notes)
    assert note_table(notes).to_numpy().tolist() == [
        ["seconds spent on them", "12.5"],
        ["trials of the study that failed, and why", "2 trials: MemoryError: 16 GB wanted; 1 trial: odd"],
        ["trials cut off in an earlier run, now marked as failed", "0"],
        ["the defaults are the best setting found", "no"],
        ["users set aside, who judge it", "9"],
        ["ranges widened to hold the default", "none"],
    ]
    assert notes == copy


def test_a_note_without_words_is_kept():
    assert note_table({"new_note": 3, "widened_ranges": ["a", "b"]}).to_numpy().tolist() == [
        [NOTES["widened_ranges"], "a; b"],
        ["new note", "3"],
    ]
