/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The page is complete without this. It adds: what a mark is, under the pointer or by arrow keys; a
 * filter over incidents; marks of an answer out of sight. It writes text only (textContent). */
"use strict";
(() => {
	const units = [[86400e9, "d"], [3600e9, "h"], [60e9, "min"], [1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]];
	const names = { none: "no answer", spoke: "spoken to", untold: "answer not told" };
	const element = (tag, text) => Object.assign(document.createElement(tag), { textContent: text || "" });

	const after = (ns) => {
		const unit = units.find((u) => ns >= u[0]) || units[units.length - 1];
		return Number((ns / unit[0]).toPrecision(4)) + " " + unit[1];
	};

	/* "22 ssh|80 http|8000-8003" -> a row each */
	const rowsOf = (text) => text.split("|").flatMap((word) => {
		const range = /^(\d+)-(\d+)$/.exec(word);
		if (!range)
			return [word];
		return Array.from({ length: range[2] - range[1] + 1 }, (_, i) => String(+range[1] + i));
	});

	/* The marks of a picture, from its paths: every subpath begins with M. */
	const marksOf = (svg) => {
		const marks = [];
		for (const path of svg.querySelectorAll("path.m"))
			for (const m of path.getAttribute("d").matchAll(/M([\d.]+) ([\d.]+)/g))
				marks.push({ x: +m[1], y: +m[2], kind: path.classList[1] });
		return marks.sort((a, b) => a.x - b.x || a.y - b.y);
	};

	const tip = element("div");
	tip.className = "tip";
	tip.setAttribute("role", "status");
	tip.hidden = true;
	document.body.append(tip);

	const watch = (svg) => {
		const d = svg.dataset, box = svg.parentElement;
		const ring = document.createElementNS("http://www.w3.org/2000/svg", "circle");
		const parts = d.parts.split(",").map((p) => p.split(" ").map(Number));
		let marks, rows, at = -1;

		ring.setAttribute("r", 7);
		ring.setAttribute("class", "hit");
		const load = () => {
			marks = marks || marksOf(svg);
			rows = rows || rowsOf(d.rows);
		};
		const isShown = (m) => !document.body.classList.contains("hide-" + m.kind);
		const say = (m) => {
			const [x0, x1, t0, length] = parts.find((p) => m.x <= p[1] + .1) || parts[parts.length - 1];
			const when = t0 + (x1 > x0 ? (m.x - x0) / (x1 - x0) : 0) * length;
			const row = Math.floor((+d.top + +d.height - m.y) / d.height * rows.length);
			const place = svg.getBoundingClientRect(), scale = place.width / svg.viewBox.baseVal.width;

			tip.textContent = (d.rows ? rows[row] + ", " : "") + (names[m.kind] || m.kind) +
				(when > 0 ? ", about " + after(when) + " in" : "");
			tip.hidden = false;
			tip.style.setProperty("left", Math.max(4, Math.min(place.left + m.x * scale + 12,
				innerWidth - tip.offsetWidth - 8)) + "px");
			tip.style.setProperty("top", Math.max(4, place.top + m.y * scale - 34) + "px");
			ring.setAttribute("cx", m.x);
			ring.setAttribute("cy", m.y);
			svg.append(ring);
		};
		const hush = () => {
			tip.hidden = true;
			ring.remove();
		};

		svg.addEventListener("pointermove", (e) => {
			load();
			const place = svg.getBoundingClientRect(), scale = place.width / svg.viewBox.baseVal.width;
			const x = (e.clientX - place.left) / scale, y = (e.clientY - place.top) / scale;
			let best = -1, far = 14 * 14;

			marks.forEach((m, i) => {
				const off = (m.x - x) ** 2 + (m.y - y) ** 2;
				if (off < far && isShown(m)) {
					far = off;
					best = i;
				}
			});
			if (best < 0)
				return hush();
			at = best;
			say(marks[best]);
		});
		svg.addEventListener("pointerleave", hush);
		box.addEventListener("blur", hush);
		box.addEventListener("keydown", (e) => {
			const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];

			if (e.key === "Escape")
				hush();
			if (!step)
				return;
			load();
			e.preventDefault();
			do
				at += step;
			while (marks[at] && !isShown(marks[at]));
			at = Math.max(0, Math.min(at, marks.length - 1));
			say(marks[at]);
		});
	};

	/* Out of sight first, so that a page of many pictures opens at once. */
	const pictures = document.querySelectorAll("svg.scan");
	pictures.forEach(watch);

	const incidents = [...document.querySelectorAll("article.incident")];
	const legend = document.querySelector(".legend");
	if (!legend)
		return;

	const tools = element("div"), text = element("input"), level = element("select"), count = element("output");
	tools.className = "tools";
	tools.setAttribute("role", "search");
	text.type = "search";
	text.placeholder = "Filter: an address, a port, a rule";
	text.setAttribute("aria-label", "Show incidents that contain");
	level.setAttribute("aria-label", "Least severity");
	for (const n of [0, 5, 6, 7, 8, 9])
		level.append(Object.assign(element("option", n ? "severity " + n + " and above" : "any severity"), { value: n }));
	count.setAttribute("aria-live", "polite");

	const apply = () => {
		const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
		const fits = (e) => {
			const has = e.textContent.toLowerCase();
			return +e.dataset.severity >= +level.value && words.every((w) => has.includes(w));
		};
		let shown = 0;

		for (const e of incidents) {
			const link = document.querySelector('#list a[href="#' + e.id + '"]');

			e.hidden = !fits(e);
			shown += !e.hidden;
			if (link)
				link.closest("tr").hidden = e.hidden;
		}
		for (const row of document.querySelectorAll("#list tbody tr"))
			if (!row.querySelector("a"))
				row.hidden = !fits(row);
		count.textContent = shown < incidents.length ? shown + " of " + incidents.length + " incidents" : "";
	};
	text.addEventListener("input", apply);
	level.addEventListener("change", apply);
	tools.append(text, level, count);
	for (const item of legend.querySelectorAll("li")) {
		const button = element("button"), kind = item.dataset.kind, word = item.querySelector(".kind");

		button.type = "button";
		button.title = "show or hide these marks";
		button.setAttribute("aria-pressed", "true");
		word.replaceWith(button);
		button.append(word);
		button.addEventListener("click", () => {
			const hidden = document.body.classList.toggle("hide-" + kind);
			button.setAttribute("aria-pressed", String(!hidden));
		});
	}
	if (incidents.length > 1)
		legend.after(tools);
})();
