/** The page of the operator. Holds no data: all of it comes by the API, with the operator's token. */
export const DASHBOARD_HTML = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Portcullis</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/dashboard.css">
    <link rel="stylesheet" href="/wall.css">
    <script type="module" src="/dashboard.js"></script>
  </head>
  <body data-view="loading">
    <a class="skip" href="#main">Skip to the sessions</a>
    <header>
      <h1>Portcullis</h1>
      <p id="link" role="status" data-link="loading"><span aria-hidden="true"></span><b>Connecting…</b></p>
      <button id="logout" type="button" hidden>Log out</button>
    </header>
    <noscript><p class="banner">This page needs JavaScript.</p></noscript>
    <p id="banner" class="banner" role="alert" hidden></p>
    <form id="login" hidden>
      <h2>Log in</h2>
      <label for="token">Admin token</label>
      <input id="token" type="password" autocomplete="off" spellcheck="false" autocapitalize="off" required aria-describedby="token-help">
      <p id="token-help">The one of <code>listen.admin.token</code>. It stays in this tab and is forgotten when you close it.</p>
      <p id="token-problem" class="problem" role="alert"></p>
      <button type="submit" class="main">Log in</button>
    </form>
    <main id="main" tabindex="-1" hidden>
      <dl id="tiles" aria-label="Now">
        <div><dt>Publishers</dt><dd id="publishers">–</dd></div>
        <div><dt>Viewers</dt><dd id="viewers">–</dd></div>
        <div><dt>From clients</dt><dd id="inward">–</dd></div>
        <div><dt>To clients</dt><dd id="outward">–</dd></div>
        <div><dt>Refused, last 5 min</dt><dd id="refused">–</dd></div>
      </dl>
      <section id="wall-section" aria-labelledby="wall-title" hidden>
        <div class="head">
          <h2 id="wall-title">Wall</h2>
          <div class="wall-tools">
            <span id="wall-pages" hidden>
              <button id="wall-newer" type="button">Newer</button>
              <button id="wall-older" type="button">Older</button>
            </span>
            <button id="wall-switch" type="button">Switch on</button>
          </div>
        </div>
        <p id="wall-note" class="note"></p>
        <ul id="wall" aria-label="Pictures" hidden></ul>
        <ul id="streams" aria-label="Live streams"></ul>
        <p id="wall-empty" class="empty" hidden>No stream is being published.</p>
      </section>
      <section aria-labelledby="sessions-title">
        <div class="head">
          <h2 id="sessions-title">Sessions</h2>
          <label class="find"><span class="unseen">Find a session</span><input id="find" type="search" placeholder="Find path, subject, address" autocomplete="off"></label>
        </div>
        <table id="sessions">
          <caption class="unseen">Live sessions</caption>
          <thead><tr><th scope="col">Stream</th><th scope="col">How</th><th scope="col">Who</th><th scope="col">Since</th><th scope="col">Bit rate</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
          <tbody></tbody>
        </table>
        <p id="sessions-empty" class="empty" hidden></p>
        <p id="sessions-more" class="note" hidden></p>
      </section>
      <div class="columns">
        <section aria-labelledby="refusals-title">
          <div class="head"><h2 id="refusals-title">Refusals</h2></div>
          <ol id="refusals"></ol>
          <p id="refusals-empty" class="empty" hidden>Nobody has been refused since the start.</p>
        </section>
        <section aria-labelledby="origins-title">
          <div class="head"><h2 id="origins-title">Origins</h2></div>
          <ul id="origins"></ul>
        </section>
      </div>
    </main>
    <dialog id="ask" aria-labelledby="ask-title" aria-describedby="ask-text">
      <form method="dialog">
        <h2 id="ask-title"></h2>
        <p id="ask-text"></p>
        <div class="buttons"><button value="no" autofocus>Cancel</button><button value="yes" class="danger" id="ask-yes"></button></div>
      </form>
    </dialog>
    <p id="said" class="unseen" role="status"></p>
  </body>
</html>
`;
