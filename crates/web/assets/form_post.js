// Sends the authorization response to the app. The prototype's method, because a field named
// "submit" would hide the form's own.
"use strict";
{
  const form = document.getElementById("form_post");
  if (form) HTMLFormElement.prototype.submit.call(form);
}
