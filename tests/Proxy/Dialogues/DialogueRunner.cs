using System;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Postern.Proxy.Errors;
using Postern.Proxy.Overload;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Dialogues;

/// <summary>Plays one dialogue. At its end nothing may be left over: no byte at either end, no record.</summary>
internal sealed class DialogueRunner(Dialogue dialogue, Conversation conversation)
{
    private readonly FrameEnd clientFrames = new(isServer: false);
    private FrameEnd upstreamFrames = new(isServer: true);
    private bool touchedUpstream;

    public async Task RunAsync()
    {
        foreach (var step in dialogue.Steps)
        {
            try
            {
                await StepAsync(step);
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"{dialogue.Name}:{step.Line}: {e.GetType().Name}: {e.Message}\n{conversation.State()}");
            }
        }
        await RecordsAsync();
        clientFrames.PassOver(conversation.Client);
        upstreamFrames.PassOver(conversation.Upstream);
        Assert.True(conversation.Client.Count == 0, $"{dialogue.Name}: the client received more than expected\n{conversation.State()}");
        Assert.True(conversation.Upstream.Count == 0, $"{dialogue.Name}: the upstream received more than expected\n{conversation.State()}");
        Assert.True(touchedUpstream || conversation.Host.Connects == 0, $"{dialogue.Name}: the upstream was connected to although the dialogue never speaks of it\n{conversation.State()}");
    }

    private Task StepAsync(Dialogue.Step step)
    {
        touchedUpstream |= step.Verb is "U<" or "U>" or "u<" or "u>" || step.Text.StartsWith("connects", StringComparison.Ordinal) || step.Text is "upstream-closed";
        switch (step.Verb)
        {
            case "C>":
                conversation.ClientSends(Encoding.Latin1.GetBytes(step.Text));
                return Task.CompletedTask;
            case "U>":
                return conversation.UpstreamSends(Encoding.Latin1.GetBytes(step.Text));
            case "C<":
                return ReceiveAsync(conversation.Client, step, "client");
            case "U<":
                return ReceiveAsync(conversation.Upstream, step, "upstream");
            case "c>":
                conversation.ClientSends(clientFrames.Encode(step.Text));
                return Task.CompletedTask;
            case "u>":
                return conversation.UpstreamSends(upstreamFrames.Encode(step.Text));
            case "c<":
                return FrameAsync(clientFrames, () => conversation.Client, step, "client");
            case "u<":
                return FrameAsync(upstreamFrames, () => conversation.Upstream, step, "upstream");
            case "do":
                return DoAsync(step);
            default:
                return ExpectAsync(step);
        }
    }

    private async Task ReceiveAsync(ReceivedBytes end, Dialogue.Step step, string who)
    {
        var pattern = new Regex("^" + Regex.Escape(step.Text).Replace("\\{\\*}", "[^\\r\\n]*", StringComparison.Ordinal), RegexOptions.CultureInvariant);
        await conversation.Until(() => pattern.IsMatch(end == conversation.Client ? conversation.Client.Text : conversation.Upstream.Text), $"the {who} to receive (line {step.Line}) \"{ReceivedBytes.Escape(step.Text)}\"");
        var source = who == "client" ? conversation.Client : conversation.Upstream;
        source.Take(pattern.Match(source.Text).Length);
    }

    private async Task FrameAsync(FrameEnd frames, Func<ReceivedBytes> end, Dialogue.Step step, string who)
    {
        var words = step.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        await conversation.Until(() => frames.TryMeet(end(), words), $"the {who} to receive (line {step.Line}) {step.Text}; it received\n  {string.Join("\n  ", frames.Seen)}\n");
    }

    private async Task DoAsync(Dialogue.Step step)
    {
        var words = step.Text.Split(' ', 2);
        switch (words[0])
        {
            case "client-fin":
                conversation.ClientFin();
                break;
            case "client-reset":
                conversation.ClientReset();
                break;
            case "upstream-close":
                await conversation.UpstreamCloses();
                break;
            case "upstream-fin":
                await conversation.UpstreamShutsDown();
                break;
            case "upstream-reset":
                await conversation.UpstreamResets();
                break;
            case "next-upstream":
                conversation.NextUpstream();
                upstreamFrames = new FrameEnd(isServer: true);
                break;
            case "upstream-fails":
                conversation.Host.Failure = Enum.Parse<ErrorCode>(words[1]);
                conversation.Host.Held?.TrySetResult();
                break;
            case "upstream-holds":
                conversation.Host.Held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                break;
            case "upstream-stops":
                conversation.Host.StopListening();
                break;
            case "clock":
                conversation.ClockOffset += Dialogue.Seconds(words[1]);
                break;
            case "policy":
                conversation.Policy.Use(words[1]);
                break;
            case "identity":
                conversation.IdentifyClient(uint.Parse(words[1], CultureInfo.InvariantCulture));
                break;
            case "review":
                await conversation.ReviewAsync();
                break;
            case "shed":
                conversation.Overload.Set(1, 0, 0, false, TimeoutScale.None);
                break;
            case "drain":
                conversation.Drain();
                break;
            default:
                throw new FormatException($"unknown action {words[0]}");
        }
    }

    private async Task ExpectAsync(Dialogue.Step step)
    {
        var words = step.Text.Split(' ', 2);
        var what = $"{step.Text} (line {step.Line})";
        switch (words[0])
        {
            case "client-closed":
                await conversation.Until(() => conversation.Client.Ended && conversation.Client.Count == 0, what);
                break;
            case "client-cut":
                await conversation.Until(() => conversation.Client.Reset, what);
                break;
            case "upstream-closed":
                await conversation.Until(() => conversation.Upstream.Ended || conversation.Upstream.Reset, what);
                break;
            case "gate-waiting":
                await conversation.Until(() => conversation.IsGateWaiting, what);
                break;
            case "upstream-untouched":
                Assert.True(conversation.Host.Connects == 0, $"{what}\n{conversation.State()}");
                break;
            case "connects":
                Assert.True(conversation.Host.Connects == int.Parse(words[1], CultureInfo.InvariantCulture), $"{what}, but there were {conversation.Host.Connects}\n{conversation.State()}");
                break;
            case "open":
                await conversation.Until(() => conversation.IsGateWaiting || conversation.Client.Ended || conversation.Client.Reset, what);
                Assert.False(conversation.Client.Ended || conversation.Client.Reset, $"{what}\n{conversation.State()}");
                break;
            default:
                throw new FormatException($"unknown state {words[0]}");
        }
    }

    private async Task RecordsAsync()
    {
        await conversation.Until(() => conversation.Records.Seen.Count >= dialogue.Records.Count, $"{dialogue.Records.Count} records");
        var seen = conversation.Records.Seen;
        Assert.True(seen.Count == dialogue.Records.Count, $"{dialogue.Name}: {seen.Count} records instead of {dialogue.Records.Count}\n{conversation.State()}");
        foreach (var (record, wanted) in seen.Zip(dialogue.Records))
        {
            var same = record.Type.ToString() == wanted.Type
                && wanted.Fields.All(field => record.Fields.TryGetValue(field.Key, out var value) && value == field.Value);
            Assert.True(same, $"{dialogue.Name}:{wanted.Line}: the record is {record}\n{conversation.State()}");
        }
    }
}
