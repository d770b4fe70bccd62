/** How the page puts values on the screen. Every text goes in as text, never as markup. */
export const DRAWING_JS = `
export const $ = (id) => document.getElementById(id);

/** An element with a class and children; texts become text nodes. */
export function el(name, className, ...children) {
  const one = document.createElement(name);
  if (className) one.className = className;
  one.append(...children.filter((child) => child !== undefined && child !== null));
  return one;
}

/** Changes a text only when it differs, so that screen readers and selections are left alone. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function rateText(kbps) {
  if (kbps === undefined) return '–';
  if (kbps >= 1e6) return (kbps / 1e6).toFixed(2) + ' Gbit/s';
  if (kbps >= 1e3) return (kbps / 1e3).toFixed(kbps >= 1e5 ? 0 : 1) + ' Mbit/s';
  return Math.round(kbps) + ' kbit/s';
}

export function spanText(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return s + ' s';
  if (s < 3600) return Math.floor(s / 60) + ' min';
  if (s < 86400) return Math.floor(s / 3600) + ' h ' + (Math.floor(s / 60) % 60) + ' min';
  return Math.floor(s / 86400) + ' d ' + (Math.floor(s / 3600) % 24) + ' h';
}

const SVG = 'http://www.w3.org/2000/svg';

export function sparkline() {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 100 24');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(SVG, 'polygon'), document.createElementNS(SVG, 'polyline'));
  return svg;
}

/** Draws rates from the right end on; the scale begins at 0. */
export function drawSparkline(svg, rates, most) {
  const top = Math.max(...rates, 1);
  const points = rates.map((rate, place) => [
    (100 - ((rates.length - 1 - place) * 100) / (most - 1)).toFixed(1),
    (22 - (rate / top) * 20).toFixed(1),
  ].join(','));
  const first = points[0]?.split(',')[0] ?? '100';
  svg.querySelector('polyline').setAttribute('points', points.join(' '));
  svg.querySelector('polygon').setAttribute('points', points.length < 2 ? '' : [first + ',24', ...points, '100,24'].join(' '));
}

/** Asks before something is done; resolves with true for yes. */
export function ask(title, text, yes) {
  const dialog = $('ask');
  put($('ask-title'), title);
  put($('ask-text'), text);
  put($('ask-yes'), yes);
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
`;
