// What is printed: the answer on the first page, all else behind it. Paper can't be opened, so what is folded is unfolded.

function startPaper() {
  const folded = [...document.querySelectorAll("main details")].filter((details) => !details.closest("#table"));
  // They would push the first figure from the first page.
  const ofVerdicts = folded.filter((details) => details.closest("#verdicts")).map((details) => ({ details, verdict: details.parentElement }));
  const numbers = make("section", { id: "numbers" }, make("h2", {}, "The verdicts in numbers"));
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = folded.filter((details) => !details.open);
    opened.forEach((details) => (details.open = true));
    numbers.append(...ofVerdicts.map(({ details }) => details));
    if (ofVerdicts.length) document.getElementById("score").after(numbers);
  });
  addEventListener("afterprint", () => {
    opened.forEach((details) => (details.open = false));
    ofVerdicts.forEach(({ details, verdict }) => verdict.append(details));
    numbers.remove();
  });
}
