// Building elements. Text enters the page here and by textContent only, so that none of it is ever markup.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** A labelled select; `choices` are values or [value, label] pairs. */
function makeSelect(label, choices, chosen, onchange) {
  const option = (choice) => {
    const [value, text] = Array.isArray(choice) ? choice : [choice, choice];
    const made = make("option", { value }, visible(text));
    made.selected = value === chosen;
    return made;
  };
  const select = make("select", { onchange: () => onchange(select.value) }, ...choices.map(option));
  return { select, field: make("label", { class: "field" }, make("span", {}, label), select) };
}

// Characters that hide or reorder others, and controls: shown as their code, as in src/plain.rs.
const UNSEEN =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff\u{e0000}-\u{e007f}]/gu;

function visible(text) {
  return text.replace(UNSEEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}
