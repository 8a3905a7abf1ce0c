// Every picture in `group` at one magnification and place: --z, and --x, --y, the point in the middle (0 to 1).
// Drag moves; two fingers, Ctrl and the wheel, a double click, or + and - magnify; Home fits. Returns what to call
// when the pictures have changed.
function zoomable(group) {
  const view = { z: 1, x: 0.5, y: 0.5 };
  const fingers = new Map(); // pointer: [x, y]
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const pictures = () => [...group.querySelectorAll(".pane img")].filter((image) => image.clientWidth);
  const magnification = () => { // screen pixels of one of the results' pixels
    const image = pictures().find((one) => !one.dataset.input);
    return image && image.naturalWidth ? (image.clientWidth * devicePixelRatio) / image.naturalWidth : 1;
  };

  function show() {
    view.z = clamp(view.z, Math.min(1, 1 / magnification()), 64);
    const half = Math.min(0.5, 0.5 / view.z);
    view.x = clamp(view.x, half, 1 - half);
    view.y = clamp(view.y, half, 1 - half);
    for (const name of ["z", "x", "y"]) group.style.setProperty(`--${name}`, view[name]);
    group.classList.toggle("zoomed", view.z > 1);
    for (const image of pictures()) { // squares where they are enlarged; smooth where they are made smaller
      image.classList.toggle("pixels", image.clientWidth * devicePixelRatio * view.z >= image.naturalWidth);
    }
    const output = group.querySelector(".tools output");
    if (output) output.textContent = `${Math.round(100 * magnification() * view.z)} %`;
  }

  function magnify(factor, pane, clientX, clientY) {
    const box = pane ? pane.getBoundingClientRect() : null;
    const [u, v] = box ? [(clientX - box.left) / box.width - 0.5, (clientY - box.top) / box.height - 0.5] : [0, 0];
    const before = view.z;
    view.z = clamp(view.z * factor, Math.min(1, 1 / magnification()), 64);
    view.x += u / before - u / view.z; // what was under the pointer stays there
    view.y += v / before - v / view.z;
    show();
  }

  function fit() {
    Object.assign(view, { z: 1, x: 0.5, y: 0.5 });
    show();
  }

  group.addEventListener("pointerdown", (event) => {
    const pane = event.target.closest(".pane");
    if (!pane) return;
    if (!fingers.size || event.pointerType === "touch") fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (view.z > 1) pane.setPointerCapture(event.pointerId);
  });
  group.addEventListener("pointermove", (event) => {
    const pane = event.target.closest(".pane");
    const last = fingers.get(event.pointerId);
    if (!pane || !last) return;
    const now = [event.clientX, event.clientY];
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const distance = ([x, y]) => Math.max(1, Math.hypot(x - other[0], y - other[1]));
      magnify(distance(now) / distance(last), pane, (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    }
    const share = other ? 2 : 1;
    view.x -= (now[0] - last[0]) / (share * view.z * pane.clientWidth);
    view.y -= (now[1] - last[1]) / (share * view.z * pane.clientHeight);
    fingers.set(event.pointerId, now);
    show();
  });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, (event) => fingers.delete(event.pointerId));
  group.addEventListener("wheel", (event) => {
    const pane = event.target.closest(".pane");
    if (!pane || !event.ctrlKey) return; // without Ctrl the page scrolls
    event.preventDefault();
    magnify(Math.exp(-event.deltaY / 200), pane, event.clientX, event.clientY);
  }, { passive: false });
  group.addEventListener("dblclick", (event) => {
    const pane = event.target.closest(".pane");
    if (pane) magnify(2, pane, event.clientX, event.clientY);
  });
  group.addEventListener("keydown", (event) => {
    if (!event.target.closest(".pane") || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 0.1 / view.z;
    const arrows = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.key === "+" || event.key === "=") magnify(Math.SQRT2);
    else if (event.key === "-") magnify(Math.SQRT1_2);
    else if (event.key === "Home") fit();
    else if (arrows[event.key] && view.z > 1) {
      view.x += arrows[event.key][0];
      view.y += arrows[event.key][1];
      show();
    } else return;
    event.preventDefault();
  });
  group.addEventListener("click", (event) => {
    const action = event.target.closest("[data-zoom]")?.dataset.zoom;
    if (action === "in") magnify(Math.SQRT2);
    if (action === "out") magnify(Math.SQRT1_2);
    if (action === "fit") fit();
    if (action === "whole") {
      const now = magnification() * view.z;
      magnify(Math.max(1, Math.round(now)) / now);
    }
  });
  addEventListener("resize", show);
  group.addEventListener("load", show, true); // of pictures; it does not bubble
  show();
  return { show, fit };
}
