// Brings the page's parts to life; what they are not needed for is on the page already.

startTheme(document.getElementById("theme"));
document.querySelectorAll("[data-chooser]").forEach(startChooser);
const data = readData(document.getElementById("data").textContent);
if (data.trials.length) {
  const openTrial = startViewer(document.getElementById("viewer"), data);
  startTable(document.getElementById("table"), data, openTrial);
}

// Paper can't be opened: what is folded is printed unfolded.
const folded = [...document.querySelectorAll("main details")].filter((details) => !details.closest("#table"));
let opened = [];
addEventListener("beforeprint", () => {
  opened = folded.filter((details) => !details.open);
  opened.forEach((details) => (details.open = true));
});
addEventListener("afterprint", () => opened.forEach((details) => (details.open = false)));

document.documentElement.dataset.ready = "yes";
