/* Asks before a voice that was changed and not saved is left behind. */
window.addEventListener("beforeunload", event => {
  if (document.querySelector(".q-company-unsaved")) event.preventDefault();
});
