/**
 * The watch page for a frame of the dashboard: the picture and one line, no field and no button, so that there is nothing to
 * be clicked by mistake. Without a word from who frames it, it does nothing.
 */
export const TILE_HTML = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Watch – Portcullis</title>
    <link rel="stylesheet" href="pages/tile.css">
    <script type="module" src="pages/tile.js"></script>
  </head>
  <body>
    <video id="video" autoplay muted playsinline disablepictureinpicture disableremoteplayback></video>
    <p id="state">A part of the dashboard.</p>
  </body>
</html>
`;
