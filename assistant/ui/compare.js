/* What the page Compare does in the browser: drawers, the lane shown on a phone, keys, and the chat in the address.
   What is clicked inside rendered answers goes to the server through `quartetWire` (an event of a gr.HTML). */
window.quartet = (() => {
  const root = document.documentElement;
  const one = (selector) => document.querySelector(selector);
  const send = (name, data) => window.quartetWire && window.quartetWire(name, data);
  const chatInAddress = () => new URLSearchParams(location.search).get("chat") || "";
  const onCompare = () => Boolean(one("#q-composer"));
  let opener = null;
  let newChat = null;

  function openDrawer(name, from) {
    root.dataset.drawer = name;
    opener = from || null;
    const drawer = one(`#q-drawer-${name}`);
    if (!drawer) return;
    if (!drawer.querySelector(":scope > .q-close")) {
      const close = document.createElement("button");
      Object.assign(close, { type: "button", className: "q-close", textContent: "×" });
      close.setAttribute("aria-label", "Close");
      close.dataset.closes = "";
      drawer.prepend(close);
      drawer.setAttribute("role", "dialog");
      drawer.setAttribute("aria-label", name);
    }
    const first = drawer.querySelector("input[type=range]") || drawer.querySelector(".q-close");
    first.focus({ preventScroll: true });
  }

  function closeDrawer() {
    delete root.dataset.drawer;
    if (opener && opener.isConnected) opener.focus({ preventScroll: true });
    opener = null;
  }

  function chooseLane(key) {
    root.dataset.lane = key;
    for (const tab of document.querySelectorAll(".q-tabs [role=tab]"))
      tab.setAttribute("aria-selected", String(tab.dataset.lane === key));
  }

  /* While lanes write into this page it is left altogether, so that nothing of theirs lands in another chat. */
  function openChat(id) {
    if (one("#q-stop")) location.assign(id ? `./?chat=${encodeURIComponent(id)}` : "./");
    else send("open_chat", { chat: id });
    closeDrawer();
  }

  const clicks = [
    ["[data-opens]", (hit) => openDrawer(hit.dataset.opens, hit)],
    ["[data-closes]", () => closeDrawer()],
    ["[data-new-chat]", () => { openChat(""); one("#q-question textarea").focus(); }],
    ["[data-sample]", (hit) => send("ask_sample", { question: hit.dataset.sample })],
    [".q-tabs [data-lane]", (hit) => chooseLane(hit.dataset.lane)],
    [".q-source", (hit) => {
      one("#q-source .q-panel")?.classList.add("q-panel-waits");
      openDrawer("source", hit);
      send("open_source", { turn: hit.dataset.turn, lane: hit.dataset.lane, number: hit.dataset.number });
    }],
    [".q-marks button", (hit) => {
      const marks = hit.closest(".q-marks");
      const kind = "thumb" in hit.dataset ? "thumb" : "score";
      const pressed = hit.getAttribute("aria-pressed") !== "true";
      for (const each of marks.querySelectorAll(`[data-${kind}]`)) each.setAttribute("aria-pressed", String(pressed && each === hit));
      send("mark_answer", { turn: marks.dataset.turn, lane: marks.dataset.lane, kind, value: pressed ? hit.dataset[kind] : "" });
    }],
    [".q-chat-remove", (hit) => hit.closest("li").classList.add("q-chat-asks")],
    ["[data-keep]", (hit) => hit.closest("li").classList.remove("q-chat-asks")],
    ["[data-remove]", (hit) => send("remove_chat", { chat: hit.closest("li").dataset.chat })],
    [".q-chats a", (hit, event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      openChat(hit.closest("li").dataset.chat);
    }],
  ];

  document.addEventListener("click", (event) => {
    if (root.dataset.drawer === "strength" && !event.target.closest("#q-drawer-strength")) closeDrawer();
    for (const [selector, act] of clicks) {
      const hit = event.target.closest(selector);
      if (hit) return act(hit, event);
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (root.dataset.drawer) closeDrawer();
    else one("#q-stop")?.click();
  });

  window.addEventListener("popstate", () => onCompare() && openChat(chatInAddress()));

  /* The turn being written is brought to the top once, when it begins; nothing scrolls after that. */
  let shownTurn = "";
  new MutationObserver(() => {
    if (!onCompare()) return;
    if (!root.dataset.lane) chooseLane("prompt");
    else if (one(".q-tabs [role=tab]:not([aria-selected])")) chooseLane(root.dataset.lane);
    const asked = one("#q-asked .q-question");
    const turn = asked ? asked.dataset.turn : "";
    const later = Boolean(one("#q-thread .q-turn"));
    if (turn) root.dataset.chatting = later ? "on" : "first";
    else delete root.dataset.chatting;
    if (turn === shownTurn) return;
    shownTurn = turn;
    if (later) requestAnimationFrame(() => one("#q-live").scrollIntoView({ block: "start" }));
  }).observe(document.documentElement, { childList: true, subtree: true, characterData: true });

  return {
    /* The chat's id, or a name for one that has none yet: its draft and its first question go to the server at the
       same time, and have to end up in the same chat. */
    named(chat) {
      if (chat) return chat;
      newChat ||= `new-${Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("")}`;
      return newChat;
    },
    /* A chat that gets its id keeps its place in the history; going to another one adds a step for Back. */
    address(id) {
      if (id) newChat = null;
      const present = chatInAddress();
      if (id === present) return;
      const url = id ? `?chat=${encodeURIComponent(id)}` : location.pathname;
      if (present) history.pushState(null, "", url);
      else history.replaceState(null, "", url);
    },
    /* How strongly the tuned lanes speak, wherever the page says so: as text in the toolbar, by style sheet in the heads. */
    strength(percent) {
      one(".q-strength").textContent = `${percent} %`;
      root.style.setProperty("--q-strength", `"${percent} %"`);
      root.toggleAttribute("data-strength", percent !== 100);
    },
    showPassage() {
      one("#q-source .q-panel")?.classList.remove("q-panel-waits");
      one("#q-source .q-passage")?.scrollIntoView({ block: "center" });
    },
  };
})();
