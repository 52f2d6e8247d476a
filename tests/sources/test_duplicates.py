"""Duplicates, conflicts and leaks are found, and the right ones go."""

from headstart.images.images import UnreadableImage
from headstart.sources.duplicates import screen
from headstart.sources.source import SourceImage


def image(name: str, content: str, class_name: str = "cat", split: str | None = None) -> SourceImage:
    """An image of these bytes."""
    return SourceImage(name, class_name, split, content.encode)


def test_different_images_stay() -> None:
    images = [image(str(number), str(number)) for number in range(20)]
    found = screen(images)
    assert found.images == images
    assert found.unreadable == found.duplicates == found.conflicts == found.leaks == []


def test_of_duplicates_the_first_by_number_stays() -> None:
    images = [image("10.jpg", "same"), image("9.jpg", "same"), image("2.jpg", "other"), image("11.jpg", "same")]
    found = screen(images)
    assert found.images == images[1:3]
    assert [(item.name, item.class_name, item.reason) for item in found.duplicates] == [
        ("10.jpg", "cat", "duplicate: the same bytes as 9.jpg"),
        ("11.jpg", "cat", "duplicate: the same bytes as 9.jpg"),
    ]


def test_the_same_image_in_two_classes_is_in_neither() -> None:
    images = [image("a", "same"), image("b", "same", "dog"), image("c", "same"), image("d", "other")]
    found = screen(images)
    assert found.images == images[3:]
    reason = "conflict: the same bytes in classes cat, dog"
    assert {(item.name, item.class_name, item.reason) for item in found.conflicts} == {
        ("a", "cat", reason),
        ("b", "dog", reason),
        ("c", "cat", reason),
    }
    assert found.duplicates == []


def test_a_leak_goes_from_the_split_that_learns() -> None:
    images = [
        image("train/1", "one", split="train"),
        image("validation/1", "one", split="validation"),
        image("train/2", "two", split="train"),
        image("validation/2", "two", split="validation"),
        image("test/2", "two", split="test"),
        image("test/3", "two", split="test"),
        image("train/4", "four", split="train"),
    ]
    found = screen(images)
    assert [item.name for item in found.images] == ["validation/1", "test/2", "train/4"]
    assert {(item.name, item.reason) for item in found.leaks} == {
        ("train/1", "leak: the same bytes in validation as validation/1"),
        ("train/2", "leak: the same bytes in test as test/2"),
        ("validation/2", "leak: the same bytes in test as test/2"),
    }
    assert [item.name for item in found.duplicates] == ["test/3"]


def test_a_conflict_between_splits_is_a_conflict() -> None:
    found = screen([image("train/1", "same", split="train"), image("test/1", "same", "dog", "test")])
    assert (found.images, found.leaks) == ([], [])
    assert len(found.conflicts) == 2


def test_only_files_of_equal_likeness_are_read() -> None:
    def never() -> bytes:
        raise AssertionError("read")

    images = [SourceImage(str(number), "cat", None, never, likeness=number) for number in range(5)]
    assert screen(images).images == images


def test_equal_likeness_alone_is_no_sameness() -> None:
    images = [SourceImage(str(number), "cat", None, str(number).encode, likeness=1) for number in range(5)]
    assert screen(images).images == images


def test_what_cannot_be_read_goes_with_its_reason() -> None:
    def unreadable() -> bytes:
        raise UnreadableImage("permission denied")

    images = [SourceImage("1", "cat", None, unreadable), image("2", "two"), SourceImage("3", "dog", None, unreadable)]
    found = screen(images)
    assert found.images == images[1:2]
    assert [(item.name, item.class_name, item.reason) for item in found.unreadable] == [
        ("1", "cat", "permission denied"),
        ("3", "dog", "permission denied"),
    ]
    assert found.conflicts == []
