"""Where a lock goes: the folder that Ansible reads for the hosts, never one that hides a file."""

from __future__ import annotations

import os

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.plugin_utils.changes import Changes
from ansible_collections.evenport.sip.plugins.plugin_utils.lock_place import find_place


@pytest.fixture
def inventory(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "hosts.yml").touch()
    (tmp_path / "deep" / "more.yml").touch()
    return tmp_path


def test_a_file_and_a_folder_have_the_same_place(inventory):
    file = str(inventory / "hosts.yml")
    wanted = str(inventory / "group_vars" / "acme_hq" / "sip_ports.yml")
    assert find_place("acme_hq", [file], [file]).lock == wanted
    assert find_place("acme_hq", [file], [str(inventory)]).lock == wanted
    assert find_place("acme_hq", [str(inventory / "deep" / "more.yml")], [str(inventory)]).lock == wanted


def test_of_several_sources_the_one_with_the_hosts(inventory, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "hosts").touch()
    sources = [str(inventory), str(other / "hosts")]
    assert find_place("acme_hq", [str(other / "hosts")], sources).lock.startswith(str(other))
    both = [str(inventory / "hosts.yml"), str(other / "hosts")]
    assert find_place("acme_hq", both, sources).lock.startswith(str(inventory))
    for folder in (other, inventory):
        (folder / "group_vars" / "acme_hq").mkdir(parents=True)
        (folder / "group_vars" / "acme_hq" / "sip_ports.yml").touch()
        if folder is other:
            assert find_place("acme_hq", both, sources).lock.startswith(str(other))
    with pytest.raises(PlanError, match="two locks"):
        find_place("acme_hq", both, sources)


@pytest.mark.parametrize("files", [[None], ["a,b,"], []])
def test_an_inventory_that_is_no_file_is_refused(inventory, files):
    with pytest.raises(PlanError, match="no inventory file"):
        find_place("acme_hq", files, [str(inventory), "a,b,"])


@pytest.mark.parametrize(("name", "target"), [
    ("acme_hq", "main.yml"), ("acme_hq.yml", "main.yml"), ("acme_hq.yaml", "main.yaml"), ("acme_hq.json", "main.json"),
])
def test_a_file_that_a_folder_would_hide(inventory, name, target):
    (inventory / "group_vars").mkdir()
    (inventory / "group_vars" / name).write_text("sip_site: acme_hq\n")
    arguments = ("acme_hq", [str(inventory / "hosts.yml")], [str(inventory)])
    with pytest.raises(PlanError) as caught:
        find_place(*arguments)
    assert "would hide the file" in str(caught.value) and "sip_plan_move=true" in str(caught.value)
    place = find_place(*arguments, move=True)
    assert place.move == (str(inventory / "group_vars" / name), str(inventory / "group_vars" / "acme_hq" / target))


def test_a_folder_wins_over_a_file_that_it_hides_already(inventory):
    (inventory / "group_vars" / "acme_hq").mkdir(parents=True)
    (inventory / "group_vars" / "acme_hq.yml").touch()
    assert find_place("acme_hq", [str(inventory / "hosts.yml")], [str(inventory)]).move is None


def tree(folder):
    return {os.path.relpath(os.path.join(at, name), folder): open(os.path.join(at, name)).read() for at, unused, names in os.walk(folder) for name in names}


def test_changes_are_undone_to_the_last_byte(tmp_path):
    (tmp_path / "acme_hq").write_text("x: 1\n")
    (tmp_path / "lock.yml").write_text("old\n")
    (tmp_path / "lock.yml").chmod(0o640)
    (tmp_path / "link.yml").symlink_to("lock.yml")
    before = tree(tmp_path)
    changes = Changes()
    changes.move(str(tmp_path / "acme_hq"), str(tmp_path / "acme_hq" / "main.yml"))
    changes.write(str(tmp_path / "acme_hq" / "sip_ports.yml"), "new\n")
    changes.write(str(tmp_path / "link.yml"), "new\n")
    assert tree(tmp_path) == {"acme_hq/main.yml": "x: 1\n", "acme_hq/sip_ports.yml": "new\n", "lock.yml": "new\n", "link.yml": "new\n"}
    assert (tmp_path / "link.yml").is_symlink() and (tmp_path / "lock.yml").stat().st_mode & 0o777 == 0o640
    changes.undo()
    assert tree(tmp_path) == before and (tmp_path / "acme_hq").is_file()
