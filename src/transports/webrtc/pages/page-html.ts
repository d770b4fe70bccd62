/** What the two pages do not share. */
export interface PageParts {
  readonly title: string;
  /** Relative address and text of the other page. */
  readonly other: readonly [href: string, text: string];
  readonly script: string;
  /** Attributes of the video element. */
  readonly video: string;
  /** Fields between the token and the buttons. */
  readonly fields: string;
  readonly start: string;
  /** Ids and names of the figures shown while it runs. */
  readonly figures: readonly (readonly [id: string, name: string])[];
}

/** The text of a page. Holds no script and no style of its own, and nothing that came with a request. */
export function pageHtml({ title, other, script, video, fields, start, figures }: PageParts): string {
  const rows = figures.map(([id, name]) => `        <dt>${name}</dt><dd id="${id}">–</dd>`).join('\n');
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title} – Portcullis</title>
    <link rel="stylesheet" href="pages/page.css">
    <script type="module" src="pages/${script}"></script>
  </head>
  <body>
    <header>
      <h1>${title}</h1>
      <a id="other" href="${other[0]}">${other[1]}</a>
    </header>
    <main>
      <video id="video" playsinline ${video}></video>
      <form id="form" autocomplete="off">
        <label>Stream <small>app/name, or app/room/name</small>
          <input id="stream" required spellcheck="false" autocapitalize="off" placeholder="live/demo">
        </label>
        <label>Token <small>a JWT; empty where none is needed</small>
          <input id="token" type="password" spellcheck="false" autocapitalize="off">
        </label>
${fields}
        <div class="pair">
          <button id="start" type="submit">${start}</button>
          <button id="stop" type="button" disabled>Stop</button>
        </div>
        <p id="state" role="status" data-state="idle">Ready</p>
        <p id="problem" role="alert"></p>
        <dl id="figures">
${rows}
        </dl>
      </form>
    </main>
  </body>
</html>
`;
}
