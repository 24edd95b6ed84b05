/* What the page Study does in the browser: the study in the address, and links that are copied whole. */
window.quartetStudy = {
  address(id) {
    if (!document.querySelector("#q-study-id")) return;
    history.replaceState(null, "", location.pathname + (id ? `?study=${encodeURIComponent(id)}` : ""));
  },
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const link = new URL(button.dataset.copy, document.baseURI).href;
  try {
    await navigator.clipboard.writeText(link);
    button.textContent = "Copied";
  } catch {
    prompt("Copy this link", link); // without https a browser copies nothing by itself
  }
  setTimeout(() => { button.textContent = "Copy link"; }, 1600);
});
