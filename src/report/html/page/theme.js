// Light or dark: the system's choice until the reader makes another, which their browser remembers.

const THEME_KEY = "moe-sweep-theme";

function startTheme(button) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const current = () => document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light");
  const name = () => {
    button.textContent = current() === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${current() === "dark" ? "light" : "dark"} colours`);
  };
  const remembered = stored((storage) => storage.getItem(THEME_KEY));
  if (remembered === "dark" || remembered === "light") document.documentElement.dataset.theme = remembered;
  button.hidden = false;
  button.addEventListener("click", () => {
    const theme = current() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    stored((storage) => storage.setItem(THEME_KEY, theme));
    name();
  });
  system.addEventListener("change", name);
  name();
}

/** What a use of the browser's storage gives; nothing where the reader has forbidden it, which is an exception. */
function stored(use) {
  try {
    return use(localStorage);
  } catch {
    return null;
  }
}
