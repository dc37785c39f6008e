# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every PBX must hold, whichever it is. A product's test file subclasses :class:`ReadingContract`, and :class:`NatContract` where its
NAT options can be set, and gives the fixture ``rig``: the product (real, or its fake) with the extensions 101 to 104, NAT options off.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, EvenportError, NotApplied, PlanError
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx, set_nat

EXTENSIONS = ["101", "102", "103", "104"]
ON = {"rewrite_contact": True, "force_rport": True, "rtp_symmetric": True, "direct_media": False}


class Rig(ABC):
    """A product as the suite drives it. What a product can't have at all is left as it is here; its test class sets the tests of that to None."""

    config: Config
    secrets: tuple[str, ...]                # none of them may leave: SIP passwords of extensions, the login's password
    shows: dict[str, bool]                  # what extensions() says of an extension whose NAT option is on; {}: this PBX doesn't say
    sees_user_agent = True
    logs_in = True                          # False: nobody is asked, there is a file

    @abstractmethod
    def register(self, extension: str, claimed: tuple[str, int], seen: tuple[str, int], user_agent: str) -> None:
        """A phone registers: what it says of itself, where it really comes from."""

    @abstractmethod
    def registered(self, extension: str, claimed: tuple[str, int], seen: tuple[str, int]) -> Registration:
        """How the contract's record of that registration looks, as far as this PBX tells; user agent, status and expiry are not compared."""

    @abstractmethod
    def attempts(self) -> int:
        """Logins tried so far, on all interfaces."""

    @abstractmethod
    def wrong_password(self) -> Config:
        """The configuration with a password that is refused."""

    def stored(self) -> dict[str, dict[str, str]]:
        """extension -> its NAT settings, in the product's own words, as they are kept."""
        raise NotImplementedError

    def others(self) -> str:
        """Everything else that the product keeps, whole, in one comparable text."""
        raise NotImplementedError

    def applies(self) -> int:
        """How often it was told to use what was written."""
        raise NotImplementedError

    def contacts(self) -> list[str]:
        """Who is registered."""
        raise NotImplementedError

    def deaf(self) -> AbstractContextManager[None]:
        """While in it: the product says success and uses nothing of what is written."""
        raise NotImplementedError

    def failing_apply(self) -> AbstractContextManager[None]:
        """While in it: the apply fails."""
        raise NotImplementedError


def nothing_secret(rig: Rig, *results: object) -> None:
    text = "".join(str(result) + repr(result) for result in results)
    assert not [secret for secret in rig.secrets if secret in text]


class ReadingContract:

    def test_registrations_are_normalised(self, rig):
        rig.register("101", ("192.168.1.11", 5060), ("203.0.113.1", 5060), "Grandstream GXP2170 1.0.11.64")
        rig.register("102", ("192.168.1.12", 5062), ("203.0.113.1", 41777), "Yealink SIP-T46S 66.84.0.15")
        result = read_pbx(rig.config, EXTENSIONS)
        found = {one["extension"]: Registration.from_dict(one) for one in result["registrations"]}
        assert sorted(found) == ["101", "102"] and result["missing"] == []
        for extension, claimed, seen in (("101", ("192.168.1.11", 5060), ("203.0.113.1", 5060)), ("102", ("192.168.1.12", 5062), ("203.0.113.1", 41777))):
            want, got = rig.registered(extension, claimed, seen), found[extension]
            assert (got.claimed_address, got.claimed_port, got.seen_address, got.seen_port, got.transport, got.seen_is_source) == (
                want.claimed_address, want.claimed_port, want.seen_address, want.seen_port, want.transport, want.seen_is_source)
        if rig.sees_user_agent:
            assert found["102"].user_agent == "Yealink SIP-T46S 66.84.0.15"
        assert rig.attempts() == (1 if rig.logs_in else 0)
        nothing_secret(rig, result)

    def test_nobody_registered(self, rig):
        result = read_pbx(rig.config)
        assert result["registrations"] == [] and result["extensions"] == []

    def test_an_extension_that_it_does_not_have(self, rig):
        result = read_pbx(rig.config, ["104", "999", "101"])
        assert [one["extension"] for one in result["extensions"]] == ["104", "101"] and result["missing"] == ["999"]

    def test_a_wrong_password_is_tried_once(self, rig):
        wrong = rig.wrong_password()
        with pytest.raises(AuthFailed) as refused:
            read_pbx(wrong, ["101"])
        assert rig.attempts() == 1 and wrong.access.password not in str(refused.value)
        nothing_secret(rig, refused.value)


class NatContract(ReadingContract):

    def on(self, rig, *names, **more):
        return set_nat(rig.config, Wanted(names, ON, more.pop("skip", False)), **more)

    def test_on_once_and_only_that(self, rig):
        rig.register("101", ("192.168.1.11", 5060), ("203.0.113.1", 5060), "Grandstream GXP2170 1.0.11.64")
        stored, others, contacts = rig.stored(), rig.others(), rig.contacts()
        planned = self.on(rig, "101", "103", check_mode=True)
        assert planned["changed"] and not planned["applied"] and (rig.stored(), rig.others(), rig.applies()) == (stored, others, 0)
        done = self.on(rig, "101", "103")
        assert done["changed"] and done["applied"] and rig.applies() == 1
        assert (done["before"], done["after"]) == (planned["before"], planned["after"]) and {"101", "103"} <= set(done["before"])
        assert rig.stored()["101"] != stored["101"] and rig.stored()["103"] != stored["103"]
        assert (rig.stored()["102"], rig.stored()["104"]) == (stored["102"], stored["104"]) and rig.others() == others
        assert rig.contacts() == contacts
        for extension in done["extensions"]:
            assert {option: extension[option] for option in rig.shows} == rig.shows
        again = self.on(rig, "101", "103")
        assert not again["changed"] and not again["applied"] and again["before"] == again["after"] == {} and rig.applies() == 1
        nothing_secret(rig, planned, done, again)

    def test_an_unknown_extension_is_refused_before_anything_is_written(self, rig):
        stored, others = rig.stored(), rig.others()
        with pytest.raises(PlanError, match="999"):
            self.on(rig, "101", "999")
        assert (rig.stored(), rig.others(), rig.applies()) == (stored, others, 0)
        done = self.on(rig, "101", "999", skip=True)
        assert done["unknown"] == ["999"] and done["changed"] and rig.stored()["101"] != stored["101"]

    def test_nothing_wanted(self, rig):
        stored = rig.stored()
        assert not self.on(rig)["changed"] and rig.stored() == stored and rig.applies() == 0

    def test_a_silent_success_is_noticed_and_put_back(self, rig):
        stored, others = rig.stored(), rig.others()
        with rig.deaf(), pytest.raises(NotApplied) as told:
            self.on(rig, "101", "102")
        assert told.value.wrote and (rig.stored(), rig.others()) == (stored, others)
        nothing_secret(rig, told.value)

    def test_a_failing_apply_is_put_back(self, rig):
        stored, others = rig.stored(), rig.others()
        with rig.failing_apply(), pytest.raises(EvenportError) as told:
            self.on(rig, "101", "102")
        assert told.value.wrote and (rig.stored(), rig.others()) == (stored, others)
        nothing_secret(rig, told.value)

    def test_a_wrong_password_writes_nothing(self, rig):
        stored, others = rig.stored(), rig.others()
        with pytest.raises(AuthFailed):
            set_nat(rig.wrong_password(), Wanted(["101"], ON))
        assert rig.attempts() == 1 and (rig.stored(), rig.others(), rig.applies()) == (stored, others, 0)


class ByHandContract(ReadingContract):
    """A PBX that offers no way to its NAT options: nothing is done, and it is said for whom a person has to."""

    def test_a_person_has_to(self, rig):
        rig.register("101", ("192.168.1.11", 5060), ("203.0.113.1", 5060), "Grandstream GXP2170 1.0.11.64")
        for check_mode in (True, False):
            done = set_nat(rig.config, Wanted(["103", "101", "103"], ON), check_mode=check_mode)
            assert (done["changed"], done["applied"], done["before"], done["after"]) == (False, False, {}, {})
            assert done["by_hand"] == ["103", "101"] and len(done["notes"]) == 1 and "Only a person can" in done["notes"][0]
            assert [one["rewrite_contact"] for one in done["extensions"]] == [None, None]
            nothing_secret(rig, done)

    def test_an_unknown_extension(self, rig):
        with pytest.raises(PlanError, match="999"):
            set_nat(rig.config, Wanted(["101", "999"], ON))
        done = set_nat(rig.config, Wanted(["101", "999"], ON, skip_unknown=True))
        assert done["unknown"] == ["999"] and done["by_hand"] == ["101"]
