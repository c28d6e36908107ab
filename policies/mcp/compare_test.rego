package mcp.compare_test

import data.mcp.compare

# What Rego's own order would let through.
_not_numbers := [null, false, true, "", "100", [], {}]

test_at_most if {
	compare.at_most(3, 3)
	not compare.at_most(4, 3)
}

test_at_least if {
	compare.at_least(3, 3)
	not compare.at_least(2, 3)
}

test_less_than if {
	compare.less_than(2, 3)
	not compare.less_than(3, 3)
}

test_more_than if {
	compare.more_than(4, 3)
	not compare.more_than(3, 3)
}

test_between if {
	compare.between(1, 1, 3)
	compare.between(3, 1, 3)
	not compare.between(0, 1, 3)
	not compare.between(4, 1, 3)
}

test_what_is_no_number_compares_with_nothing if {
	every x in _not_numbers {
		not compare.at_most(x, 3)
		not compare.at_least(x, 3)
		not compare.less_than(x, 3)
		not compare.more_than(x, 3)
		not compare.between(x, 1, 3)
	}
}

test_a_limit_that_is_no_number_limits_to_nothing if {
	every limit in _not_numbers {
		not compare.at_most(3, limit)
		not compare.at_least(3, limit)
		not compare.less_than(3, limit)
		not compare.more_than(3, limit)
		not compare.between(3, limit, 4)
		not compare.between(3, 2, limit)
	}
}

test_one_of if {
	compare.one_of("a", ["a", "b"])
	compare.one_of(1, {1, 2})
	not compare.one_of("c", ["a", "b"])
	not compare.one_of(["a"], [["a"]])
	not compare.one_of(null, [null])
}

test_none_of if {
	compare.none_of("c", ["a", "b"])
	compare.none_of("c", {"a", "b"})
	compare.none_of(3, [])
	not compare.none_of("a", ["a", "b"])
	not compare.none_of(1, {1, 2})
}

test_what_is_no_text_or_number_is_not_known_to_be_none if {
	every x in [null, false, ["a"], {"a": 1}] {
		not compare.none_of(x, ["a", "b"])
	}
	every values in [null, "b", 3, {"b": true}] {
		not compare.none_of("a", values)
	}
}

test_path_under if {
	every path in ["/srv", "/srv/", "/srv/a", "/srv/a/b.txt", "/srv/..a", "/srv/a./b"] {
		compare.path_under(path, "/srv")
		compare.path_under(path, "/srv/")
	}
}

test_path_not_under if {
	every path in ["", "/", "/srvx", "/other", "srv", "srv/a", "//srv/a"] {
		not compare.path_under(path, "/srv")
	}
}

test_evasive_paths_are_under_nothing if {
	every path in [
		"/srv/../etc", "/srv/a/..", "/srv/./a", "/srv//a", "/srv/a//", "..", "/srv/a\\..\\b", "/srv/a\u0000b",
	] {
		not compare.path_under(path, "/srv")
		not compare.path_under(path, "/")
	}
}

test_the_root_holds_every_plain_path if {
	compare.path_under("/a/b", "/")
	not compare.path_under("a/b", "/")
}

test_paths_are_strings if {
	every x in [null, 1, true, ["/srv/a"]] {
		not compare.path_under(x, "/srv")
		not compare.path_under("/srv/a", x)
	}
}

test_relative_paths if {
	compare.path_under("docs/a", "docs")
	not compare.path_under("../docs/a", "docs")
	not compare.path_under("./docs/a", "./docs")
}

test_length_at_most if {
	compare.length_at_most("abc", 3)
	not compare.length_at_most("abcd", 3)
	every x in [null, 1, [1], {"a": 1}] {
		not compare.length_at_most(x, 3)
	}
	not compare.length_at_most("abc", "3")
}
