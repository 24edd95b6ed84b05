// A problem that no place on a page is meant for. Gradio shows those of queued events alone, so that a click
// on anything else would go wrong in silence.
(() => {
  const ask = window.fetch;
  window.fetch = async (...request) => {
    const answer = await ask(...request);
    if (!answer.ok && answer.url.includes("/run/predict"))
      answer.clone().json().then(said => said.error && show(said.error), () => {});
    return answer;
  };

  function show(text) {
    const shown = [...document.querySelectorAll(".q-over")];
    if (shown.some(each => each.textContent === text)) return;
    const place = document.createElement("button");
    place.className = "q-notice q-notice-problem q-over";
    place.setAttribute("role", "alert");
    place.title = "Close";
    place.textContent = text;
    place.style.top = `${shown.reduce((low, each) => Math.max(low, each.getBoundingClientRect().bottom), 8) + 8}px`;
    place.addEventListener("click", () => place.remove());
    document.querySelector(".gradio-container").append(place);
  }
})();
