/** Readable in black and white; on paper a step stays on one page where it fits, and chapters begin on pages of their own. */
export const style = `
:root { color-scheme: light; }
body { font: 11pt/1.45 Georgia, 'Times New Roman', serif; color: #000; background: #fff; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3, th, dt { font-family: Arial, Helvetica, sans-serif; line-height: 1.2; }
h1 { font-size: 1.9rem; border-bottom: 3px solid #000; padding-bottom: .3rem; }
h2 { font-size: 1.35rem; margin-top: 2.2rem; border-bottom: 1px solid #000; padding-bottom: .2rem; }
h3 { font-size: 1.08rem; margin: 1.2rem 0 .4rem; }
p { margin: .5rem 0; }
code, pre { font-family: 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: .86em; }
code { overflow-wrap: anywhere; }
pre code { font-size: 1em; }
pre .line { display: block; padding-left: 4ch; text-indent: -4ch; }
pre .option { white-space: pre; }
pre { border: 1px solid #000; border-left-width: 4px; padding: .5rem .7rem; margin: .4rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
ul, ol { margin: .4rem 0; padding-left: 1.4rem; }
ul.check { list-style: none; padding-left: 0; }
ul.check label { display: grid; grid-template-columns: 1.6rem 1fr; margin: .25rem 0; }
ul.check input { width: 1rem; height: 1rem; margin: .2rem 0 0; }
dl { display: grid; grid-template-columns: 9rem 1fr; gap: .15rem .8rem; margin: .4rem 0; }
dt { font-size: .86em; font-weight: bold; padding-top: .1rem; }
dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-size: .9em; }
th, td { border: 1px solid #000; padding: .2rem .45rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
/* Long words may be broken, short ones need not be. */
th { overflow-wrap: normal; }
td { min-width: 4.4em; }
.alarm { border: 4px double #000; padding: .5rem .8rem; margin: .8rem 0; }
.alarm strong.title { display: block; font-family: Arial, Helvetica, sans-serif; font-size: 1.1em; }
.measured { border-left: 3px dotted #000; padding-left: .8rem; }
.step { border-top: 1px solid #000; padding-bottom: .4rem; }
.step.no-return { border: 3px solid #000; padding: 0 .8rem .4rem; margin: 1rem 0; }
figure { margin: .8rem 0; }
figure svg { max-width: 100%; height: auto; }
@page { size: auto; margin: 18mm 16mm; }
@media print {
  body { margin: 0; padding: 0; max-width: none; font-size: 10pt; }
  .chapter { break-before: page; }
  .step, .alarm, pre, tr, li, dl, figure { break-inside: avoid; }
  h1, h2, h3 { break-after: avoid; }
  p { orphans: 3; widows: 3; }
}
`
