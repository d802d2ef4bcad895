"use strict";
const find = (what, where = document) => where.querySelector(what);
const all = (what, where = document) => [...where.querySelectorAll(what)];
const body = document.body, viewer = find("#viewer");
const seen = () => all("tbody tr"); // in their present order
const rows = seen();
let open = null; // the row that the viewer shows

const cells = (row) => all("a.frame", row);
const at = (row) => Number(row.dataset.at);
const last = Number(body.dataset.steps) - 1;
const clamp = (n) => Math.max(0, Math.min(last, n));

function show(row, n) {
  n = clamp(n);
  const links = cells(row), step = "α " + links[n].dataset.step;
  row.dataset.at = n;
  all("td", row).forEach((td, i) => td.classList.toggle("now", i === n));
  put(find(".stage", row), links[n]);
  const slider = find("input", row);
  slider.value = n;
  slider.setAttribute("aria-valuetext", step);
  find("output", row).textContent = step;
  if (row === open) view();
}

function put(frame, link) { // a missing picture has no link
  frame.classList.toggle("empty", !link.href);
  if (link.href) find("img", frame).src = link.href;
  return Boolean(link.href);
}

// the viewer: one picture, large

function view() {
  const link = cells(open)[at(open)], frame = find(".frame", viewer), picture = find("img", frame);
  const there = put(frame, link);
  picture.hidden = !there;
  find(".missing", frame).hidden = there;
  picture.alt = find("img", link)?.alt ?? "";
  frame.style.setProperty("--region", open.style.getPropertyValue("--region") || "none");
  const names = [...find(".in-sample", open).children].map((part) => part.textContent).filter(Boolean);
  find("h2", viewer).textContent = [...names, find(".in-direction", open).textContent].join(" · ");
  find("input", viewer).value = at(open);
  find("output", viewer).textContent = find("output", open).textContent;
  find("code", viewer).replaceChildren(...worded(link.dataset.command));
}

function worded(command) { // lines break between words, not at hyphens
  return command.split(" ").flatMap((word, i) => {
    const span = document.createElement("span");
    span.textContent = word;
    return i ? [" ", span] : [span];
  });
}

function enlarge(row, n) {
  open = row;
  show(row, n);
  if (!viewer.open) viewer.showModal();
}

viewer.addEventListener("close", () => {
  const link = cells(open)[at(open)];
  open = null;
  link.focus();
});
viewer.addEventListener("click", (event) => {
  if (event.target === viewer || event.target.closest(".close")) viewer.close();
});
find("input", viewer).addEventListener("input", (event) => show(open, Number(event.target.value)));
viewer.addEventListener("keydown", (event) => {
  const inSlider = event.target.type === "range";
  const near = (by) => seen()[seen().indexOf(open) + by] ?? open;
  if (event.key === "ArrowLeft" && !inSlider) show(open, at(open) - 1);
  else if (event.key === "ArrowRight" && !inSlider) show(open, at(open) + 1);
  else if (event.key === "ArrowUp") enlarge(near(-1), at(open));
  else if (event.key === "ArrowDown") enlarge(near(1), at(open));
  else if (event.key === "0") show(open, still(open));
  else return;
  event.preventDefault();
});
const still = (row) => {
  const n = cells(row).findIndex((link) => link.dataset.step === "0");
  return n < 0 ? at(row) : n;
};

// the table: hover, sliders, keys

const main = find("main");
main.addEventListener("pointermove", (event) => {
  const row = event.target.closest("tbody tr");
  if (!row || (event.pointerType === "touch" && !event.target.closest(".stage"))) return;
  const stage = event.target.closest(".stage"), link = event.target.closest("a.frame");
  if (stage) {
    const box = stage.getBoundingClientRect();
    show(row, Math.floor(((event.clientX - box.left) / box.width) * (last + 1)));
  } else if (link) show(row, cells(row).indexOf(link));
});
main.addEventListener("input", (event) => show(event.target.closest("tr"), Number(event.target.value)));
main.addEventListener("focusin", (event) => {
  const link = event.target.closest("a.frame");
  if (link && !open) show(link.closest("tr"), cells(link.closest("tr")).indexOf(link));
});
main.addEventListener("click", (event) => {
  const row = event.target.closest("tbody tr");
  const link = event.target.closest("a.frame") ?? (event.target.closest(".stage") && cells(row)[at(row)]);
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return; // opens a new tab
  event.preventDefault();
  enlarge(row, cells(row).indexOf(link));
});
main.addEventListener("keydown", (event) => {
  const link = event.target.closest("a.frame");
  if (!link) return;
  const row = link.closest("tr"), n = cells(row).indexOf(link);
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -last], End: [0, last] };
  if (event.key === "0") cells(row)[still(row)].focus();
  else if (event.key in moves) {
    const [down, right] = moves[event.key];
    const next = seen()[seen().indexOf(row) + down];
    if (next) cells(next)[clamp(n + right)].focus();
  } else if (event.key === "Enter" || event.key === " ") enlarge(row, n);
  else return;
  event.preventDefault();
});
for (const link of all("a.frame:not([href])")) link.tabIndex = 0;

// the bar: views, all rows at once, region, light and dark

function group(by) {
  body.dataset.view = by;
  for (const button of all(".switch button")) button.setAttribute("aria-pressed", button.dataset.view === by);
  for (const row of rows) {
    const place = by === "direction" ? "#k" + row.dataset.k : `section[data-sample="${row.dataset.sample}"]`;
    find(place + " tbody").append(row); // in page order, which keeps the order of each group
  }
}
find(".switch").addEventListener("click", (event) => event.target.dataset.view && group(event.target.dataset.view));
for (const link of all(".spectrum a")) link.addEventListener("click", () => group("direction"));
find("#all").addEventListener("input", (event) => {
  for (const row of rows) show(row, Number(event.target.value));
  event.target.nextElementSibling.textContent = event.target.dataset.steps.split("|")[event.target.value];
});
find("#region")?.addEventListener("change", (event) => body.classList.toggle("show-region", event.target.checked));

const theme = find("#theme"), dark = matchMedia("(prefers-color-scheme: dark)");
function paint(isDark) {
  document.documentElement.style.colorScheme = isDark ? "dark" : "light";
  theme.textContent = isDark ? "Light" : "Dark";
}
paint(dark.matches);
dark.addEventListener("change", () => paint(dark.matches));
theme.addEventListener("click", () => paint(theme.textContent === "Dark"));

// commands

for (const button of all(".copy")) button.addEventListener("click", async () => {
  const code = button.previousElementSibling;
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  } catch { // not allowed from a local file here: select the text for Ctrl-C
    getSelection().selectAllChildren(code);
    button.textContent = "Selected";
  }
});
addEventListener("beforeprint", () => all("img[loading]").forEach((img) => (img.loading = "eager")));
