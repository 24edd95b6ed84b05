/* A drop zone: collects files (folders too), uploads them one after the other, says how far it is, then tells the page. */
window.quartetDropzone = (element, trigger, upload) => {
  const zone = () => element.querySelector(".q-dropzone");
  const says = text => { element.querySelector(".q-dropzone-progress").textContent = text; };
  let busy = false;

  const hidden = name => name.split("/").some(part => part.startsWith(".") || part.startsWith("~$"));
  const withinFolder = path => path.split("/").slice(1).join("/");

  async function send(found) {
    const files = found.filter(each => !hidden(each.name));
    if (busy || !files.length) { if (!busy) says("There is no file in it."); return; }
    busy = true;
    zone().classList.add("q-dropzone-busy");
    const arrived = [], failed = [], largest = Number(zone().dataset.largest);
    for (const [index, each] of files.entries()) {
      if (each.file.size > largest) { failed.push({ name: each.name, size: each.file.size, most: largest }); continue; }
      says(`Uploading ${each.name} (${index + 1} of ${files.length})`);
      try {
        arrived.push({ path: (await upload(each.file)).path, name: each.name });
      } catch (problem) {
        failed.push({ name: each.name, reason: String(problem.message || problem) });
      }
    }
    busy = false;
    zone().classList.remove("q-dropzone-busy");
    says("");
    trigger("upload", { files: arrived, failed });
  }

  const fileOf = entry => new Promise((done, lost) => entry.file(done, lost));
  const childrenOf = reader => new Promise((done, lost) => reader.readEntries(done, lost));

  async function walk(entry, place) {
    if (entry.isFile) return [{ file: await fileOf(entry), name: place + entry.name }];
    const reader = entry.createReader(), found = [];
    for (let batch = await childrenOf(reader); batch.length; batch = await childrenOf(reader)) {
      for (const child of batch) found.push(...await walk(child, `${place}${entry.name}/`));
    }
    return place ? found : found.map(each => ({ ...each, name: withinFolder(each.name) }));
  }

  element.addEventListener("change", event => {
    const files = [...event.target.files];
    event.target.value = "";
    send(files.map(file => ({ file, name: file.webkitRelativePath ? withinFolder(file.webkitRelativePath) : file.name })));
  });
  element.addEventListener("dragover", event => { event.preventDefault(); zone().classList.add("q-dropzone-over"); });
  element.addEventListener("dragleave", event => {
    if (!element.contains(event.relatedTarget)) zone().classList.remove("q-dropzone-over");
  });
  element.addEventListener("drop", async event => {
    event.preventDefault();
    event.stopPropagation();
    zone().classList.remove("q-dropzone-over");
    // Both are read before anything waits: the browser empties the list after this turn. Some files have no entry.
    const items = [...event.dataTransfer.items].map(item => [item.webkitGetAsEntry(), item.getAsFile()]);
    const found = [];
    for (const [entry, file] of items) {
      if (entry) found.push(...await walk(entry, ""));
      else if (file) found.push({ file, name: file.name });
    }
    send(found);
  });
};
