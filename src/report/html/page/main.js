// Brings the page's parts to life; what they are not needed for is on the page already.

startTheme(document.getElementById("theme"));
document.querySelectorAll("[data-chooser]").forEach(startChooser);
const data = readData(document.getElementById("data").textContent);
if (data.trials.length) {
  const openTrial = startViewer(document.getElementById("viewer"), data);
  startTable(document.getElementById("table"), data, openTrial);
}

startPaper();

document.documentElement.dataset.ready = "yes";
