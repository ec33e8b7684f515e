// The buttons that copy a command, or a finding as Markdown. They are hidden where no script runs.
"use strict";
(() => {
  document.documentElement.classList.add("js");

  async function copy(button) {
    const source = button.parentNode.querySelector(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      // Over plain HTTP there is no clipboard, but a selection can be copied.
      const hidden = source.hidden;
      source.hidden = false;
      getSelection().selectAllChildren(source);
      source.hidden = document.execCommand("copy") && hidden;
    }
    const label = button.firstChild;
    const text = label.data;
    if (text === "Copied") return;
    label.data = "Copied";
    document.getElementById("voice").textContent = "Copied.";
    setTimeout(() => (label.data = text), 2000);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".copy");
    if (button) copy(button);
  });
})();
