// One of several blocks at a time: without script, all of them are on the page.

function startChooser(container) {
  const blocks = [...container.querySelectorAll(":scope > [data-choice]")];
  if (blocks.length < 2) return;
  const show = (choice) => blocks.forEach((block, index) => (block.hidden = String(index) !== choice));
  const choices = blocks.map((block, index) => [String(index), block.dataset.choice]);
  const { field } = makeSelect(container.dataset.chooser, choices, "0", show);
  container.prepend(make("div", { class: "controls" }, field));
  show("0");
  // Paper has room for all.
  addEventListener("beforeprint", () => blocks.forEach((block) => (block.hidden = false)));
  addEventListener("afterprint", () => show(field.querySelector("select").value));
}
