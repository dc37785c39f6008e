// Sort and filter the tables that are there, and walk the port map with the arrow keys. Everything is text from the page itself: nothing is
// turned into HTML, nothing is fetched, nothing is stored.
"use strict";
(() => {
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  // What a cell is sorted by: a number, a text, or null for "not known", which comes last either way.
  const keyOf = (row, column, kind) => {
    if (kind === "weight") return Number(row.dataset.weight);
    if (kind === "age") return Number(row.dataset.age) < 0 ? null : Number(row.dataset.age);
    const text = row.cells[column].textContent.trim();
    if (text === "" || text === "–") return null;
    return kind === "number" ? parseInt(text.replace(/,/g, ""), 10) : text;
  };

  const sortBy = (table, column, kind, down) => {
    const body = table.tBodies[0];
    const keyed = Array.from(body.rows, (row) => [keyOf(row, column, kind), row]);
    const sign = down ? -1 : 1;
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (typeof a === "number" ? a - b : collator.compare(a, b));
    });
    const sorted = document.createDocumentFragment();
    for (const [, row] of keyed) sorted.append(row);
    body.append(sorted);
  };

  const sortable = (table) => {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "head";
      button.textContent = head.textContent.trim();
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sortBy(table, column, head.dataset.kind, down);
      });
      head.replaceChildren(button);
    });
  };

  const filters = [];
  const filtered = (form) => {
    const table = document.getElementById(form.dataset.table);
    const rows = Array.from(table.tBodies[0].rows);
    const search = form.querySelector("input");
    const choice = form.querySelector("select");
    const output = form.querySelector("output");
    const all = output.textContent;
    let texts = null;             // made at the first search: a large table takes a moment
    const apply = () => {
      texts ??= rows.map((row) => Array.from(row.cells, (cell) => cell.textContent.trim()).join(" ").toLowerCase());
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const [kind, value] = choice.value.split(" ");
      let shown = 0;
      rows.forEach((row, n) => {
        const fits = words.every((word) => texts[n].includes(word)) && (!kind || row.dataset[kind] === value);
        row.hidden = !fits;
        shown += fits;
      });
      output.textContent = shown === rows.length ? all : shown ? `${shown.toLocaleString("en")} of ${all}` : `none of ${all}: search for less, or show all`;
    };
    search.addEventListener("input", apply);
    choice.addEventListener("input", apply);
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    filters.push({ table, clear: () => { form.reset(); search.value = ""; choice.value = ""; apply(); } });
  };

  // A link to a line that the filter hides shows it again.
  const reveal = () => {
    const row = document.getElementById(location.hash.slice(1));
    if (!row?.hidden) return;
    for (const filter of filters) if (filter.table.contains(row)) filter.clear();
    row.scrollIntoView();
  };

  // The map is one stop for the tabulator key; within it the arrows move. Escape puts the details away until the next move.
  const walkable = (grid) => {
    const links = Array.from(grid.querySelectorAll("a"));
    if (!links.length) return;
    links.forEach((link, n) => { link.tabIndex = n ? -1 : 0; });
    const go = (from, to) => {
      if (!to) return;
      from.tabIndex = -1;
      to.tabIndex = 0;
      to.focus();
    };
    const vertical = (from, down) => {
      const here = from.getBoundingClientRect();
      let best = null, least = Infinity;
      for (const link of links) {
        const there = link.getBoundingClientRect();
        const rows = (there.top - here.top) * down;
        const distance = rows * 4 + Math.abs(there.left - here.left);
        if (rows > 2 && distance < least) [best, least] = [link, distance];
      }
      return best;
    };
    grid.addEventListener("keydown", (event) => {
      const from = event.target.closest("a");
      if (!from || event.ctrlKey || event.altKey || event.metaKey) return;
      const at = links.indexOf(from);
      const moves = {
        ArrowRight: () => links[at + 1], ArrowLeft: () => links[at - 1], Home: () => links[0], End: () => links[links.length - 1],
        ArrowDown: () => vertical(from, 1), ArrowUp: () => vertical(from, -1),
      };
      if (event.key === "Escape") grid.classList.add("quiet");
      else if (Object.hasOwn(moves, event.key)) {
        event.preventDefault();
        go(from, moves[event.key]());
      }
    });
    grid.addEventListener("focusin", (event) => {
      grid.classList.remove("quiet");
      const link = event.target.closest("a");
      if (link) for (const other of links) other.tabIndex = other === link ? 0 : -1;
    });
    grid.addEventListener("mouseover", () => grid.classList.remove("quiet"));
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") grid.classList.add("quiet"); });
  };

  document.documentElement.classList.add("js");
  document.querySelectorAll("table.sortable").forEach(sortable);
  document.querySelectorAll("form.controls").forEach(filtered);
  document.querySelectorAll(".grid").forEach(walkable);
  window.addEventListener("hashchange", reveal);
})();
